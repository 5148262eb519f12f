import { mountPage } from '../../shared/page'
import TeacherPage from './TeacherPage.vue'

mountPage(TeacherPage)
