import { classroom } from '../../locales/classroom'
import { mountPage } from '../../shared/page'
import ClassroomPage from './ClassroomPage.vue'

void mountPage(ClassroomPage, classroom)
