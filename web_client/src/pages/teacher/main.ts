import { teacher } from '../../locales/teacher'
import { mountPage } from '../../shared/page'
import TeacherPage from './TeacherPage.vue'

void mountPage(TeacherPage, teacher, true)
