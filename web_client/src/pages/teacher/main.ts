import { mountPage } from '../../shared/page'
import TeacherPage from './TeacherPage.vue'

void mountPage(TeacherPage)
